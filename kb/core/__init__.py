"""What every layer may import: models, errors, settings, identities, masking of personal data, slugs, data files."""
