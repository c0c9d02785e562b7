"""Finalize: from journals to playable, verified, encrypted files, without transcoding."""
