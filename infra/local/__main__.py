import signal
import sys

if __name__ == "__main__":
    # Until the bundle has its own way to stop, Ctrl-C ends this without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from infra.local.bundle import main

    sys.exit(main())
