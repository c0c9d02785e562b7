"""What the all-in-one checks before it starts anything."""

from pathlib import Path

import pytest

from server.app.supervisor import StartError, claim_data_dir


def test_a_data_folder_runs_one_house_at_a_time(tmp_path: Path) -> None:
    first = claim_data_dir(tmp_path)
    with pytest.raises(StartError, match="another AirCounter is running on the data folder"):
        claim_data_dir(tmp_path)
    first.close()
    claim_data_dir(tmp_path).close()
