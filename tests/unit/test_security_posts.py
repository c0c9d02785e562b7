"""Post separation: one person, one post."""

from hypothesis import given
from hypothesis import strategies as st

from core.models.staff import Role
from core.security.posts import POSTS, one_post

ROLES = st.sets(st.sampled_from([role.value for role in Role]))


def test_every_role_belongs_to_exactly_one_post() -> None:
    assert sorted(role for post in POSTS for role in post) == sorted(Role)


@given(ROLES)
def test_roles_of_two_posts_never_go_together(roles: set[str]) -> None:
    posts_touched = [post for post in POSTS if post & roles]
    assert one_post(roles) == (len(posts_touched) == 1)


def test_an_unknown_role_is_of_no_post() -> None:
    assert not one_post(["teller", "owner"])
    assert not one_post([])
