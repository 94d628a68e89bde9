/** $1 organization. */
export const GET_DATA_KEY = 'SELECT master_key, wrapped FROM data_keys WHERE organization_id = $1'
/** $1 organization, $2 id of the master key, $3 wrapped. */
export const ADD_DATA_KEY = `
INSERT INTO data_keys (organization_id, master_key, wrapped) VALUES ($1, $2, $3) ON CONFLICT (organization_id) DO NOTHING`
