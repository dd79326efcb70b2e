export {
  createMapping,
  createTemplate,
  type Mapped,
} from '../../src/run-kit/mapping.ts';
