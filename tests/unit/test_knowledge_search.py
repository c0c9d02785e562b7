"""Terms, rank and snippet of the knowledge base's search. Pure."""

from hypothesis import given
from hypothesis import strategies as st

from server.knowledge.search import SNIPPET, Text, score, snippet, terms_of

WORDS = st.text(alphabet="密码重置转账汇款挂失abc12 ，。", max_size=30)


def test_pairs_words_and_nothing_empty() -> None:
    assert terms_of("忘记密码怎么办 ETC2") == ("忘记", "记密", "密码", "码怎", "etc2")
    assert terms_of("怎么办") == ("怎么", "么办"), "when nothing else is said, it is what was asked"
    assert terms_of("，。！") == ()


def test_the_title_counts_more_than_the_body() -> None:
    terms = terms_of("密码重置")
    in_title = score("密码重置", terms, Text("密码重置", (), "别的"))
    in_body = score("密码重置", terms, Text("别的", (), "说到密码重置"))
    assert in_title > in_body > 0


@given(WORDS, WORDS)
def test_snippets_are_short_and_of_the_body(question: str, body: str) -> None:
    cut = snippet(terms_of(question), body).strip("…")
    assert len(cut) <= SNIPPET
    assert cut in body
