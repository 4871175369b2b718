import { main } from '../../src/cli/main.ts';
import { KeyFolder } from '../../src/store/key-folder.ts';
import { memoryFiles } from './host-view.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryKeyFiles } from './memory-key-files.ts';
import { MemorySockets } from './memory-sockets.ts';
import { RecordedTerminal } from './recorded-terminal.ts';
import { requestId } from './scripted-manager.ts';
import { type Ended, untilEnded } from './until-ended.ts';

/** A host on which somebody runs service-mgr-client, and on whose sockets a test puts managers. */
export class PersonHost {
  readonly clock = new ManualClock();
  readonly sockets = new MemorySockets({ clock: this.clock });
  readonly keyFiles = new MemoryKeyFiles();
  readonly terminal = new RecordedTerminal();
  /** The configuration, if there is one. */
  config: string | undefined;
  userName = 'alice';
  /** Ctrl-C. */
  readonly interrupt = new AbortController();

  /** Where keys are by default. */
  get folder(): KeyFolder {
    return this.folderIn('/home/alice/.config/service-mgr');
  }

  folderIn(folder: string): KeyFolder {
    return new KeyFolder({
      ...{ files: this.keyFiles, keyFile: `${folder}/client.key`, kinds: ['operator', 'monitor'] },
      managersFolder: `${folder}/managers`,
    });
  }

  /** Runs a command to its end. */
  end(line: string): Promise<Ended> {
    const { clock, sockets, keyFiles, terminal, userName } = this;
    const text = this.config === undefined ? {} : { '/etc/service-mgr/service-mgr-client.conf': this.config };
    const deps = {
      ...{ terminal, files: memoryFiles(text), keyFiles, configFolder: '/home/alice/.config', userName },
      interrupted: this.interrupt.signal,
      openClient: () => ({ sockets, clock, newId: () => requestId }),
    };
    return untilEnded(() => main(line.split(' '), deps), clock, terminal);
  }
}
