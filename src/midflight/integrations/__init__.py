"""midflight in other frameworks: a file each, imported by whoever uses that framework and by nobody else."""
