import { render } from 'preact';
import { App } from './app.tsx';
import './style/base.css';
import './style/components.css';
import { applyTheme } from './components/theme.tsx';

applyTheme();
const place = document.getElementById('console');
if (place !== null) render(<App />, place);
