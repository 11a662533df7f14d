"""Ready-made task systems."""
