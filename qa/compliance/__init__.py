"""Script compliance: a pure rule engine over transcripts. No I/O apart from reading the packaged rule data."""
