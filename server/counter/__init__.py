"""The counter room: what customers can ask for, their entries and consents.

Does: the business catalogue and consent wordings (versioned data), visits with signed tokens, consents.
Publishes: nothing yet. Listens to: nothing. Writes: Business, Visit, Consent.
"""
