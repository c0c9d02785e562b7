"""Quality inspection: speech to text, script compliance, sampling, scoring and the inspector's desk."""
