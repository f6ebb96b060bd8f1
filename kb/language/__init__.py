"""Danish: sentences, tokens, stems, compounds, spelling, vocabulary, analysis, and what a passage tells."""
