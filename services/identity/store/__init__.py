"""The only SQL of identity, in two stores: people (personal fields, codes, roles) and rolls (marks, issuances)."""
