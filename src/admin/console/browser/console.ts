/** The page's own script. Everything works without it; it keeps pages up to date, takes keys, and verifies. */
import { startKeyboard } from './keyboard.ts';
import { startLive } from './live.ts';
import { startSignInLink } from './sign-in-link.ts';
import { startVerify } from './verify.ts';
import { startViews } from './views.ts';

startLive();
startKeyboard();
startVerify();
startViews();
startSignInLink();
// For whoever waits for the keys to work, as tests do.
document.documentElement.dataset['scripts'] = 'on';
