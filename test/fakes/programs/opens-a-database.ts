// Opens a database, and afterwards has a warning of its own. Usage: opens-a-database.ts FILE
import { openDatabase } from '../../../src/store/database.ts';

const [file = ''] = process.argv.slice(2);
const connection = await openDatabase({
  file,
  schema: [],
  synchronous: 'NORMAL',
  errorCode: 'STORE_UNUSABLE',
  nowWallMs: 0,
  onSetAside: () => {},
});
connection.close();
process.stdout.write('opened');
process.emitWarning('a warning of somebody else');
