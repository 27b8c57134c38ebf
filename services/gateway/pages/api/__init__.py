"""The public API under /api/v1: JSON for programs, read by anyone, without cookies, without a page among its answers.

What services publish is passed on as it comes (`reads`); the catalogue of open data and the description are made here.
"""
