# Small, non-root image of the app with its engine. CPU torch by default; pass another index for CUDA wheels.
# The app answers its own machine only, as it asks nobody for a password yet. A published port (-p) does not reach it;
#   docker run --network host -v helm:/data nas-helm
# does, at http://127.0.0.1:8050/. docs/deployment.md says how to let other machines in, through a proxy with passwords.
FROM python:3.11-slim
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 NAS_HELM_STORE=sqlite:////data/store.db
WORKDIR /srv
COPY requirements.txt .
RUN pip install --index-url "$TORCH_INDEX" torch==2.13.0 && pip install -r requirements.txt
COPY nas_core nas_core
COPY app app
COPY assets assets
RUN useradd --create-home helm && mkdir /data && chown helm /data
USER helm
VOLUME /data
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD python -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8050/', timeout=4)"
CMD ["python", "-m", "app", "--port", "8050"]
