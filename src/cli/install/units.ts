// The systemd units. The socket unit owns the addresses, so that a client may come before the daemon has started, and
// stays connected to nothing worse than a queue while the daemon is replaced.

export type UnitOptions = {
  /** The installed program. */
  readonly program: string
  /** Further paths to listen on, besides dhow's own. */
  readonly sockets: readonly string[]
  /** Members of this group may use the sockets; it must exist, or systemd refuses the unit. */
  readonly group: string | undefined
}

export function serviceUnit({ program }: UnitOptions): string {
  return `[Unit]
Description=dhow container engine
Wants=network-online.target
After=network-online.target dhow.socket nftables.service
Requires=dhow.socket

[Service]
Type=exec
ExecStart=${program} daemon -H fd://
# The configuration is read again; dhow config reload does the same and says what has changed.
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=1
# Containers live on while the daemon is stopped, restarted or replaced: only its own process is ended.
KillMode=process
# The cgroups below are the daemon's.
Delegate=yes
# Under memory pressure containers go first.
OOMScoreAdjust=-500
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity

[Install]
WantedBy=multi-user.target
Also=dhow.socket
`
}

export function socketUnit({ sockets, group }: UnitOptions): string {
  const listen = ["/run/dhow/dhow.sock", ...sockets].map((path) => `ListenStream=${path}\n`).join("")
  return `[Unit]
Description=Socket of the dhow container engine

[Socket]
${listen}SocketMode=0660
SocketUser=root
${group === undefined ? "" : `SocketGroup=${group}\n`}
[Install]
WantedBy=sockets.target
`
}
