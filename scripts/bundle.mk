# How sam build makes one folder: the same code as make package, one function or layer at a time.

build-%:
	@scripts/bootstrap.sh
	@.venv/bin/python -m scripts.package --only $* --into "$(ARTIFACTS_DIR)"
