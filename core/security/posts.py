"""Post separation (岗位分离): which roles one person may hold together. Pure."""

from collections.abc import Collection

OPERATION = frozenset({"teller", "expert"})
SUPERVISION = frozenset({"supervisor"})
INSPECTION = frozenset({"inspector", "qa_lead"})
AUDIT = frozenset({"auditor"})
ADMINISTRATION = frozenset({"admin"})
POSTS = (OPERATION, SUPERVISION, INSPECTION, AUDIT, ADMINISTRATION)


def one_post(roles: Collection[str]) -> bool:
    """Whether the roles belong to one post: who operates neither supervises, inspects, audits nor administers."""
    return bool(roles) and any(post.issuperset(roles) for post in POSTS)
