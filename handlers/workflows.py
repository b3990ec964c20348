"""The one place that names the workflows: their routes, and the jobs that deadlines start."""

from typing import Final

from handlers import blocklist, numbers, support
from handlers.admin.erasure import ErasureRunner
from handlers.blocklist.upload_job import ExpiryJob, UploadJob
from handlers.framework.deadline_steps import DeadlineJob
from handlers.framework.ports import Services
from handlers.framework.routes import merge_routes
from handlers.numbers.orders import OrderJob
from handlers.numbers.releases import ReleaseJob
from handlers.support.retention import RetentionJob
from handlers.support.ticket_job import TicketJob
from store.engine.deadlines import Deadlines
from store.privacy.erasure import Erasure

ROUTES: Final = merge_routes((numbers.ROUTES, blocklist.ROUTES, support.ROUTES))


def deadline_jobs(services: Services, deadlines: Deadlines, erasing: Erasure) -> tuple[DeadlineJob, ...]:
    """All of them, to be registered."""
    return (
        TicketJob(services, deadlines),
        OrderJob(services, deadlines),
        ReleaseJob(services, deadlines),
        RetentionJob(services, deadlines),
        ErasureRunner(services, deadlines, erasing),
        UploadJob(services, deadlines),
        ExpiryJob(services, deadlines),
    )
