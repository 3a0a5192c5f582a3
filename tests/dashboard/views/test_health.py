"""`/ready`: whether pages can be served."""

from tests.dashboard.conftest import GuestBefore, MakeUpstream
from tests.dashboard.guest import Guest
from tests.dashboard.upstream import saying_json


def test_the_dashboard_says_that_it_is_ready(guest: Guest) -> None:
    response = guest.get("/ready")

    assert response.status_code == 200
    assert response.get_json() == {"ready": True}


def test_readiness_does_not_depend_on_the_model_service(guest_before: GuestBefore, upstream: MakeUpstream) -> None:
    service = upstream(saying_json({}))
    service.refuse()

    assert guest_before(service).get("/ready").status_code == 200
    assert service.connections == 0
