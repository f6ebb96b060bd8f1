"""The readers of all formats but PDF: each makes blocks of one kind of file."""
