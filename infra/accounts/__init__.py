"""The operators' side of accounts: `python -m infra.accounts --help`."""
