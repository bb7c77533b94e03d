"""What the document says of Flux beside the schemas."""

from api.door.openapi import Schema, Words
from api.flux.field_descriptions import FIELDS
from api.flux.refusal_examples import EXAMPLES

SECURITY_SCHEMES: dict[str, Schema] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `token` of `POST /auth/login` or `POST /auth/guest`",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The `key` of `POST /auth/api-keys`, instead of a bearer token",
    },
}

WORDS = Words(FIELDS, EXAMPLES, SECURITY_SCHEMES)
