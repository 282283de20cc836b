from functions.register.endpoints import router
from shared.app import create_app
from shared.metrics.instruments import PASSWORD_HASH_DURATION
from shared.on_startup.database import open_database
from shared.on_startup.registration import open_registration
from shared.on_startup.threads import open_threads
from shared.runtime import LambdaEntry

app = create_app(
    "register",
    router,
    resources=[open_registration, open_database, open_threads],
    instruments=[PASSWORD_HASH_DURATION],
)
handler = LambdaEntry(app)
