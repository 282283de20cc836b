from functions.upload.endpoints import router
from shared.app import create_app
from shared.on_startup.pictures import open_source_limit
from shared.on_startup.storage import open_storage
from shared.on_startup.token_verifier import open_token_verifier
from shared.runtime import LambdaEntry

app = create_app("upload", router, resources=[open_token_verifier, open_source_limit, open_storage])
handler = LambdaEntry(app)
