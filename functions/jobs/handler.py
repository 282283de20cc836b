from functions.jobs.endpoints import router
from shared.app import create_app
from shared.on_startup.database import open_database
from shared.on_startup.job_changes import open_job_changes
from shared.on_startup.storage import open_storage
from shared.on_startup.token_verifier import open_token_verifier
from shared.runtime import LambdaEntry

app = create_app(
    "jobs", router, resources=[open_token_verifier, open_database, open_job_changes, open_storage]
)
handler = LambdaEntry(app)
