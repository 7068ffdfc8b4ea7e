# The PBX: the distribution's Asterisk with our configuration, run by an ordinary user.
# Built from the repository's top folder:  docker build -f docker/asterisk.Dockerfile .
# `make run` builds this same file where no Docker engine runs, on a base made on the spot (--build-arg BASE=...).
ARG BASE=debian:sid-slim
FROM ${BASE}

# The user's number is fixed, so that volumes keep their owner when the image is rebuilt.
# The unstable suite's index may be past its date on a mirror; its signature is still checked.
RUN groupadd --system --gid 5060 asterisk \
 && useradd --system --uid 5060 --gid asterisk --home-dir /var/lib/asterisk --no-create-home \
            --shell /usr/sbin/nologin asterisk \
 && apt-get -o Acquire::Check-Valid-Until=false update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
            asterisk asterisk-modules asterisk-moh-opsound-wav \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o asterisk -g asterisk -m 0750 /var/lib/ivrflow/pbx \
 && install -d -o asterisk -g asterisk -m 0755 /var/lib/ivrflow/prompts \
 && install -d -o asterisk -g asterisk -m 0750 /var/lib/ivrflow/recordings

COPY asterisk/ /usr/share/ivrflow/asterisk/

USER asterisk
VOLUME /var/lib/ivrflow/pbx
ENTRYPOINT ["/usr/share/ivrflow/asterisk/start"]
