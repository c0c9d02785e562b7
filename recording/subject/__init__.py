"""What customers may ask for: everything that is kept about them, or its deletion.

Publishes: `SubjectExportAsked`. Listens to: `SubjectExportAsked`. Writes: SubjectRequest.
"""
