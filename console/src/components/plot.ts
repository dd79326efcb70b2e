import 'uplot/dist/uPlot.min.css';

/** In a module of its own: its code is loaded when the first chart is drawn. */
export { default as Plot } from 'uplot';
