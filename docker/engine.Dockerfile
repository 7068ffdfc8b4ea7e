# The engine: ivrflow in a Python of the distribution, run by an ordinary user.
# Built from the repository's top folder:  docker build -f docker/engine.Dockerfile .
# Built without a Docker engine on a base made on the spot (--build-arg BASE=...): see `make images`.
ARG BASE=debian:sid-slim

FROM ${BASE} AS builder
# The unstable suite's index may be past its date on a mirror; its signature is still checked.
RUN apt-get -o Acquire::Check-Valid-Until=false update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3-venv \
 && python3 -m venv /opt/ivrflow
WORKDIR /build
# A network that signs with a certificate authority of its own, or that has its own package index:
#   --secret id=certificates,src=/etc/ssl/certs/ca-certificates.crt   --build-arg PIP_INDEX_URL=...
# `make images` passes what this machine uses. Neither ends up in the image.
ARG PIP_INDEX_URL
# What ivrflow needs, in a layer of its own: a changed source file does not fetch it all again.
COPY pyproject.toml ./
RUN --mount=type=secret,id=certificates \
    if [ -s /run/secrets/certificates ]; then export PIP_CERT=/run/secrets/certificates; fi \
 && python3 -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
        >requirements.txt \
 && /opt/ivrflow/bin/pip install --no-cache-dir --requirement requirements.txt
COPY README.md LICENSE ./
COPY src/ src/
RUN --mount=type=secret,id=certificates \
    if [ -s /run/secrets/certificates ]; then export PIP_CERT=/run/secrets/certificates; fi \
 && /opt/ivrflow/bin/pip install --no-cache-dir --no-deps .

FROM ${BASE}
# The same number as the PBX's user: both work on the volumes of prompts and recordings.
RUN groupadd --system --gid 5060 ivrflow \
 && useradd --system --uid 5060 --gid ivrflow --home-dir /var/lib/ivrflow --no-create-home \
            --shell /usr/sbin/nologin ivrflow \
 && apt-get -o Acquire::Check-Valid-Until=false update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3 tzdata \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o ivrflow -g ivrflow -m 0755 /var/lib/ivrflow /var/lib/ivrflow/prompts /var/lib/ivrflow/journal \
 && install -d -o ivrflow -g ivrflow -m 0750 /var/lib/ivrflow/recordings
COPY --from=builder /opt/ivrflow /opt/ivrflow
COPY callflows/ /usr/share/ivrflow/callflows/
COPY prompts/ /usr/share/ivrflow/prompts/
ENV PATH=/opt/ivrflow/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    IVRFLOW_FLOWS=/usr/share/ivrflow/callflows \
    IVRFLOW_MASTERS=/usr/share/ivrflow/prompts \
    IVRFLOW_PROMPTS_DIR=/var/lib/ivrflow/prompts \
    IVRFLOW_PBX_PROMPTS_DIR=/var/lib/ivrflow/prompts \
    IVRFLOW_RECORDINGS_DIR=/var/lib/ivrflow/recordings \
    IVRFLOW_PBX_RECORDINGS_DIR=/var/lib/ivrflow/recordings \
    IVRFLOW_JOURNAL=sqlite:////var/lib/ivrflow/journal/journal.sqlite
USER ivrflow
WORKDIR /usr/share/ivrflow
VOLUME /var/lib/ivrflow/prompts /var/lib/ivrflow/recordings /var/lib/ivrflow/journal
# The formats the PBX plays are made from the masters first; a prompt that is there already is not made again.
CMD ["sh", "-c", "ivrflow prompts build && exec ivrflow serve"]
