from functions.login.endpoints import router
from shared.app import create_app
from shared.metrics.instruments import LOCKOUTS, LOGINS, PASSWORD_HASH_DURATION
from shared.on_startup.accounts import open_account_macs
from shared.on_startup.database import open_database
from shared.on_startup.threads import open_threads
from shared.on_startup.tokens import open_token_issuer
from shared.runtime import LambdaEntry

app = create_app(
    "login",
    router,
    resources=[open_token_issuer, open_account_macs, open_database, open_threads],
    instruments=[LOGINS, LOCKOUTS, PASSWORD_HASH_DURATION],
)
handler = LambdaEntry(app)
