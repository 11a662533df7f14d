"""Who may come in: private files, tokens with roles, and the links that carry them."""
