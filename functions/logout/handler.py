from functions.logout.endpoints import router
from shared.app import create_app
from shared.on_startup.database import open_database
from shared.on_startup.refresh_tokens import open_refresh_tokens
from shared.runtime import LambdaEntry

app = create_app("logout", router, resources=[open_refresh_tokens, open_database])
handler = LambdaEntry(app)
