from functions.login.endpoints import router
from shared.app import create_app
from shared.metrics.instruments import LOGINS, PASSWORD_HASH_DURATION
from shared.on_startup.database import open_database
from shared.on_startup.threads import open_threads
from shared.on_startup.tokens import open_token_issuer
from shared.runtime import LambdaEntry

app = create_app(
    "login",
    router,
    resources=[open_token_issuer, open_database, open_threads],
    instruments=[LOGINS, PASSWORD_HASH_DURATION],
)
handler = LambdaEntry(app)
