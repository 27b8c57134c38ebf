"""Files that people send stay in memory: they may hold names, and no disk of the gateway is to hold those in plain."""

from __future__ import annotations

from io import BytesIO
from typing import IO, Final

import flask
from werkzeug.formparser import FormDataParser

_TEXT_PARTS: Final = 256 * 1024
"""Of a form with files; werkzeug counts the piece of a file that it is reading too, which is up to 64 KiB."""


class Request(flask.Request):
    """A route's own limit bounds what comes."""

    def make_form_data_parser(self) -> FormDataParser:
        parser = super().make_form_data_parser()
        if self.mimetype == "multipart/form-data":
            parser.max_form_memory_size = _TEXT_PARTS
        return parser

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return BytesIO()
