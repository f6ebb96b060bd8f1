"""What every layer may use: models, errors, settings, identities, masking of personal data, slugs and data files."""
