from uuid import UUID

from shared.security.account_macs import AccountMacs

KEY, OTHER = b"k" * 32, b"o" * 32
ADA = UUID(int=1)


def test_mac_of_an_account_is_always_the_same() -> None:
    macs = AccountMacs.derive(KEY)
    assert macs.of_sign_ins("ada") == AccountMacs.derive(KEY).of_sign_ins("ada")
    assert macs.of_password_changes(ADA) == AccountMacs.derive(KEY).of_password_changes(ADA)


def test_no_two_accounts_purposes_or_keys_share_one() -> None:
    macs, others = AccountMacs.derive(KEY), AccountMacs.derive(OTHER)
    every = [
        *(macs.of_sign_ins(name) for name in ("ada", "Ada", "")),
        macs.of_password_changes(ADA),
        macs.of_password_changes(UUID(int=2)),
        others.of_sign_ins("ada"),
        others.of_password_changes(ADA),
    ]
    assert len({*every}) == len(every)


def test_key_is_that_of_refresh_tokens_no_more() -> None:
    assert AccountMacs.derive(KEY).key != KEY
    assert KEY.decode() not in repr(AccountMacs(KEY))
