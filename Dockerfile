# gameday: one image for conductor, agent and command line. Built by BuildKit and by the classic builder alike.
#
# The base brings Python 3.11 or later with pip, and is also the place for a company's certificates and package mirror (pip.conf).
ARG BASE=python:3.12-slim

FROM ${BASE} AS build
WORKDIR /src
# The epoch makes compiled files depend on their sources and not on the hour of the build.
ENV SOURCE_DATE_EPOCH=1767225600 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python3 -m venv --without-pip /opt/gameday && python3 -m venv --without-pip /opt/builder

# Every package is checked against a hash of the lock, the build backend too.
COPY deploy/build.lock deploy/runtime_lock.py deploy/
RUN python3 -m pip --python /opt/builder/bin/python3 install --no-deps --require-hashes --only-binary :all: -r deploy/build.lock
COPY pyproject.toml requirements.lock ./
RUN python3 deploy/runtime_lock.py postgres slack > runtime.lock \
 && python3 -m pip --python /opt/gameday/bin/python3 install --no-deps --require-hashes --only-binary :all: -r runtime.lock

# Last, since it changes most. `pip check` proves that the part of the lock is complete.
COPY README.md LICENSE ./
COPY gameday gameday
COPY workflows workflows
COPY activities activities
COPY worker worker
COPY reports reports
COPY control_room control_room
COPY playbooks playbooks
COPY demo demo
RUN python3 -m pip --python /opt/builder/bin/python3 wheel --no-deps --no-build-isolation --wheel-dir /dist . \
 && python3 -m pip --python /opt/gameday/bin/python3 install --no-deps --no-index /dist/*.whl \
 && python3 -m pip --python /opt/gameday/bin/python3 check


FROM ${BASE}
COPY --from=build /opt/gameday /opt/gameday
COPY deploy/healthy.py /usr/local/lib/gameday/
# Two homes: a conductor's, for the user below, and an agent's, which is root and has no right to write in the other.
RUN install -d -m 700 -o 10001 -g 10001 /var/lib/gameday && install -d -m 700 /var/lib/gameday-agent
ENV PATH=/opt/gameday/bin:$PATH HOME=/var/lib/gameday GAMEDAY_HOME=/var/lib/gameday PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# By number, so that a base without `useradd` will do, and Kubernetes can see that it is not root.
USER 10001:10001
WORKDIR /var/lib/gameday
# No HEALTHCHECK here: what is healthy depends on the role. docker-compose.yml asks healthy.py for it.
ENTRYPOINT ["gameday"]
CMD ["--help"]
