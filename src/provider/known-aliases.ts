import type { ServiceName } from '../wire/fields.ts';

const groups = [
  // Debian, then RHEL, then FreeBSD where it has a third name.
  ['cron', 'crond'],
  ['ssh', 'sshd'],
  ['apache2', 'httpd', 'apache24'],
  ['bind9', 'named'],
  ['smbd', 'smb'],
  ['nmbd', 'nmb'],
  ['ntp', 'ntpd'],
  ['chrony', 'chronyd'],
  ['mysql', 'mysqld', 'mysql-server'],
  ['redis-server', 'redis'],
  ['nfs-kernel-server', 'nfs-server'],
  ['supervisor', 'supervisord'],
  ['rsyslog', 'rsyslogd'],
  ['cups', 'cupsd'],
];

/**
 * Names under which distributions run one and the same software. Only such: a stand-in (mariadb for mysql, ntpsec for
 * ntp) is another service, and an action must never reach another service than the one that was meant.
 */
export const knownAliases = groups.map((names) => names.map((name) => name as ServiceName));
