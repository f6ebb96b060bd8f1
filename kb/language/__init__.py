"""Danish: sentences, tokens, stems, compounds, spelling, vocabulary, lexical analysis, and roles."""
