export {
  createMapping,
  createObjectMapping,
  createTemplate,
  type Mapped,
  type Mapping,
} from '../../src/run-kit/mapping.ts';
