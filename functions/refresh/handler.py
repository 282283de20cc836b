from functions.refresh.endpoints import router
from shared.app import create_app
from shared.metrics.instruments import REFRESHES
from shared.on_startup.database import open_database
from shared.on_startup.tokens import open_token_issuer
from shared.runtime import LambdaEntry

app = create_app(
    "refresh",
    router,
    resources=[open_token_issuer, open_database],
    instruments=[REFRESHES],
)
handler = LambdaEntry(app)
