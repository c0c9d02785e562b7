"""Export: a side-by-side copy for people who may have one, made on request, with purpose and watermark."""
