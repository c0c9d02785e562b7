"""The knowledge room: articles beside the call, proposals of staff, decisions of editors, search in Chinese.

Publishes: ArticlePublished. Listens to: nothing. Writes: Article, ArticleVersion.
"""
