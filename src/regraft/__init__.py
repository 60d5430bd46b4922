"""Virtual trials of stem-cell therapy for immune disorders."""
