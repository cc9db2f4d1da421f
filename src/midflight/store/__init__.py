"""The store: every version that ran and every report, in one sqlite file; and source files, written whole."""
