"""The counter room: what customers can ask for, their entries and consents, and doing business during the call.

Does: the business catalogue, its flows and consent wordings (versioned data), visits with signed tokens, consents;
cases and their steps; changes of what the counter works by, decided by a second person (`changes`). `steps` is the
pure machine, `engine` moves cases, `kind` is the contract of step kinds, `kinds/` has them, `keeper` watches running
cases. See docs/counter.md.
Publishes: CaseStarted, CaseStepChanged, CaseQuestionAsked, CaseDocumentChanged, CaseEnded, CaseOverdue.
Listens to: CaseQuestionAsked (its own waiting steps).
Writes: Business, BusinessFlow, ControlledChange, ReviewRuleRow, AuthorisationLevel, BusinessCase, CaseStep,
CaseDocument, Prefill, PhoneCode, Visit, Consent.
"""
