"""One JSON schema of everything that travels; the pages' TypeScript types are generated from it.

``python -m signaling.schema`` prints the socket part; the composition root adds the HTTP models.
"""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from signaling.messages import MESSAGES, PUSHES


def schema(http_models: Sequence[tuple[type[BaseModel], JsonSchemaMode]] = ()) -> dict[str, Any]:
    """All payload models, and which message carries which.

    Args:
        http_models: Request models with ``validation``, answers with ``serialization``.

    Returns:
        ``{"$defs": {name: JSON schema}, "sockets": {namespace: {"messages": {name: {"request", "answer"}},
        "pushes": {name: definition}}}}``, where the leaves are ``{"$ref": …}``.
    """
    models: dict[tuple[type[BaseModel], JsonSchemaMode], None] = dict.fromkeys(http_models)
    for messages in MESSAGES.values():
        for message in messages:
            models[message.request, "validation"] = None
            models[message.answer, "serialization"] = None
    for pushes in PUSHES.values():
        models.update(dict.fromkeys((push.payload, "serialization") for push in pushes))
    refs, definitions = models_json_schema(list(models), ref_template="#/$defs/{model}")
    sockets = {
        namespace: {
            "messages": {
                message.name: {
                    "request": refs[message.request, "validation"],
                    "answer": refs[message.answer, "serialization"],
                }
                for message in messages
            },
            "pushes": {push.name: refs[push.payload, "serialization"] for push in PUSHES[namespace]},
        }
        for namespace, messages in MESSAGES.items()
    }
    return {"$defs": definitions["$defs"], "sockets": sockets}


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2, ensure_ascii=False))
